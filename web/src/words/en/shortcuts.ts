// English: keyboard shortcuts.
export const shortcuts = {
  title: 'Keyboard shortcuts',
  text: 'Single keys work when no text field has the focus.',
  enabled: 'Single-key shortcuts',
  list: {
    help: 'Show this list',
    search: 'Filter this folder',
    upload: 'Upload files',
    folder: 'New folder',
    files: 'To the files',
    locations: 'To the locations',
    up: 'One folder up',
    rows: 'Up and down in the list',
    ends: 'First and last row',
    open: 'Open folder, or details of the file',
    select: 'Select the row',
    rename: 'Rename',
    remove: 'Remove',
    close: 'Close details or dialog',
  },
  keys: { enter: 'Enter', space: 'Space', del: 'Del', esc: 'Esc', home: 'Home', end: 'End', alt: 'Alt' },
}
