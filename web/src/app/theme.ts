// Mantine's theme. Its colours live in app.css, so that nothing has to be injected.
import { createTheme, localStorageColorSchemeManager, type MantineColorsTuple } from '@mantine/core'

const pine: MantineColorsTuple = [
  '#eaf6f5',
  '#d3ebe9',
  '#a9d8d4',
  '#7cc4bf',
  '#4fb0aa',
  '#2c9a95',
  '#167f7d',
  '#0d6769',
  '#0b5456',
  '#083f42',
]

export const theme = createTheme({
  primaryColor: 'pine',
  primaryShade: { light: 7, dark: 6 },
  colors: { pine },
  respectReducedMotion: true,
  cursorType: 'pointer',
  defaultRadius: 'md',
  components: {
    Menu: { defaultProps: { transitionProps: { duration: 80 } } },
  },
})

export const schemes = localStorageColorSchemeManager({ key: 'quorate-scheme' })
