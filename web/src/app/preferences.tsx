// Language and appearance, together behind one small button.
import { ActionIcon, Menu, useMantineColorScheme, type MantineColorScheme } from '@mantine/core'
import { IconCheck, IconDeviceDesktop, IconLanguage, IconMoon, IconSun } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { LANGUAGES, useSpeech } from '../words/words.tsx'

const SCHEMES = [
  { code: 'light', Icon: IconSun },
  { code: 'dark', Icon: IconMoon },
  { code: 'auto', Icon: IconDeviceDesktop },
] as const satisfies readonly { code: MantineColorScheme; Icon: unknown }[]

export function Preferences(): ReactNode {
  const { words, language, speak } = useSpeech()
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  const names = { light: words.app.light, dark: words.app.dark, auto: words.app.system }
  const chosen = <IconCheck size={16} aria-hidden />
  return (
    <Menu position="bottom-end" withinPortal>
      <Menu.Target>
        <ActionIcon variant="subtle" size="lg" color="gray" c="var(--ink)" aria-label={words.app.settings} title={words.app.settings}>
          <IconLanguage size={20} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{words.app.language}</Menu.Label>
        {LANGUAGES.map(({ code, name }) => (
          <Menu.Item
            key={code}
            lang={code}
            role="menuitemradio"
            aria-checked={language === code}
            onClick={() => speak(code)}
            rightSection={language === code ? chosen : null}
          >
            {name}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Label>{words.app.scheme}</Menu.Label>
        {SCHEMES.map(({ code, Icon }) => (
          <Menu.Item
            key={code}
            role="menuitemradio"
            aria-checked={colorScheme === code}
            onClick={() => setColorScheme(code)}
            leftSection={<Icon size={16} aria-hidden />}
            rightSection={colorScheme === code ? chosen : null}
          >
            {names[code]}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  )
}
