// The way to people and to one's own account, in the strip on top.
import { ActionIcon, Menu } from '@mantine/core'
import { IconUserCircle } from '@tabler/icons-react'
import { useQueryClient } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { noteTroubleIn } from '../app/notices.ts'
import { hrefOf } from '../app/route.ts'
import { client } from '../site/client.ts'
import { useWords } from '../words/words.tsx'
import { manages, useMe } from './queries.ts'

export function AccountMenu(): ReactNode {
  const words = useWords()
  const queries = useQueryClient()
  const { data: me } = useMe()
  const name = me?.person?.name
  const label = name === undefined ? words.app.account : words.app.accountOf(name)
  const signOut = (): void => {
    client
      .signOut()
      .then(() => queries.resetQueries())
      .catch(noteTroubleIn(words))
  }
  return (
    <Menu position="bottom-end" withinPortal>
      <Menu.Target>
        <ActionIcon variant="subtle" size="lg" color="gray" c="var(--ink)" aria-label={label} title={label}>
          <IconUserCircle size={20} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {name !== undefined && <Menu.Label>{name}</Menu.Label>}
        {me?.kind === 'person' && (
          <Menu.Item component="a" href={hrefOf({ page: 'account' })}>
            {words.app.ownAccount}
          </Menu.Item>
        )}
        {manages(me) && (
          <Menu.Item component="a" href={hrefOf({ page: 'people' })}>
            {words.app.people}
          </Menu.Item>
        )}
        {me?.kind === 'person' && <Menu.Item onClick={signOut}>{words.app.signOut}</Menu.Item>}
      </Menu.Dropdown>
    </Menu>
  )
}
