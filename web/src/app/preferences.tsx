// Language and appearance, together behind one small button.
import { ActionIcon, Menu, useMantineColorScheme, type MantineColorScheme } from '@mantine/core'
import { IconCode, IconLanguage } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { hrefOf } from './route.ts'
import { LANGUAGES, useSpeech } from '../words/words.tsx'

const SCHEMES = ['light', 'dark', 'auto'] as const satisfies readonly MantineColorScheme[]

export function Preferences(): ReactNode {
  const { words, language, speak } = useSpeech()
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  const names = { light: words.app.light, dark: words.app.dark, auto: words.app.system }
  return (
    <Menu position="bottom-end" withinPortal>
      <Menu.Target>
        <ActionIcon variant="subtle" size="lg" color="gray" c="var(--ink)" aria-label={words.app.settings} title={words.app.settings}>
          <IconLanguage size={20} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{words.app.language}</Menu.Label>
        <Menu.RadioGroup value={language} onChange={(code) => speak(code === 'de' ? 'de' : 'en')}>
          {LANGUAGES.map(({ code, name }) => (
            <Menu.RadioItem key={code} value={code} lang={code} closeMenuOnClick>
              {name}
            </Menu.RadioItem>
          ))}
        </Menu.RadioGroup>
        <Menu.Divider />
        <Menu.Label>{words.app.scheme}</Menu.Label>
        <Menu.RadioGroup value={colorScheme} onChange={(code) => setColorScheme(SCHEMES.find((scheme) => scheme === code) ?? 'auto')}>
          {SCHEMES.map((code) => (
            <Menu.RadioItem key={code} value={code} closeMenuOnClick>
              {names[code]}
            </Menu.RadioItem>
          ))}
        </Menu.RadioGroup>
        <Menu.Divider />
        <Menu.Item component="a" href={hrefOf({ page: 'api' })} leftSection={<IconCode size={16} aria-hidden />}>
          {words.app.api}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}
