// A panel that slides over the page where there is no room beside it. It holds the focus until it closes.
import { Drawer } from '@mantine/core'
import '@mantine/core/styles/Drawer.layer.css'
import type { ReactNode } from 'react'

interface SidePanelProps {
  readonly label: string
  readonly close: () => void
  readonly children: ReactNode
}

export function SidePanel({ label, close, children }: SidePanelProps): ReactNode {
  return (
    <Drawer.Root opened onClose={close} position="right" size="min(100%, 26rem)" lockScroll={false} transitionProps={{ duration: 120 }}>
      <Drawer.Overlay backgroundOpacity={0.45} />
      <Drawer.Content aria-label={label}>
        <Drawer.Body p="lg">{children}</Drawer.Body>
      </Drawer.Content>
    </Drawer.Root>
  )
}
