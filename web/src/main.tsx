// The browser client of a site.
import './app/styles.ts'
import { MantineProvider } from '@mantine/core'
import { QueryClientProvider } from '@tanstack/react-query'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './app/app.tsx'
import { Announcer } from './app/announce.tsx'
import { schemes, theme } from './app/theme.ts'
import { createQueries } from './site/queries.ts'
import { firstSpoken, SpeechProvider } from './words/words.tsx'

void firstSpoken().then((first) =>
  createRoot(document.getElementById('root')!).render(
    <StrictMode>
      <MantineProvider
        theme={theme}
        withCssVariables={false}
        withGlobalClasses={false}
        colorSchemeManager={schemes}
        defaultColorScheme="auto"
      >
        <QueryClientProvider client={createQueries()}>
          <SpeechProvider first={first}>
            <Announcer />
            <App />
          </SpeechProvider>
        </QueryClientProvider>
      </MantineProvider>
    </StrictMode>,
  ),
)
