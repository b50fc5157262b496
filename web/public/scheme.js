// Sets light or dark before the first paint.
;(() => {
  let wanted = null
  try {
    wanted = localStorage.getItem('quorate-scheme')
  } catch {}
  const dark = wanted === 'dark' || (wanted !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches)
  document.documentElement.setAttribute('data-mantine-color-scheme', dark ? 'dark' : 'light')
})()
