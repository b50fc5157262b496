// English: the page without a session.
export const signIn = {
  title: 'Open the link that your terminal shows',
  text: 'This page belongs to the person who started Quorate on this computer. Whoever has the link may come in, so the link is shown only in the terminal.',
  step1: 'Go to the terminal in which you typed',
  step2: 'Click the line that begins with',
  step3: 'Every start shows a new link; the one before is worth nothing then.',
  spent: 'This link belongs to an earlier start.',
  spentNext: 'Take the newest link from the terminal, or start Quorate again with npm start.',
  opening: 'Opening',
}
