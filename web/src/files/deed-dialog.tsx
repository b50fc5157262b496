// The dialog of whatever the person is about to do.
import { lazy, Suspense, type ReactNode } from 'react'
import type { Deed } from './deeds.ts'
import { NameDialog } from './name-dialog.tsx'
import { PlaceDialog } from './place-dialog.tsx'
import { KeepingDialog } from '../trash/keeping-dialog.tsx'
import { ImportDialog } from '../import/import-dialog.tsx'
import { MomentDialog } from '../trash/moment-dialog.tsx'
import { RemoveDialog } from './remove-dialog.tsx'

const GrantDialog = lazy(async () => ({ default: (await import('../grants/grant-dialog.tsx')).GrantDialog }))

export interface DeedProps<D extends Deed = Deed> {
  readonly deed: D
  readonly close: () => void
  readonly done: () => void
}

export function DeedDialog({ deed, close, done }: DeedProps): ReactNode {
  switch (deed.kind) {
    case 'folder':
    case 'rename':
      return <NameDialog deed={deed} close={close} done={done} />
    case 'move':
    case 'copy':
      return <PlaceDialog deed={deed} close={close} done={done} />
    case 'moment':
      return <MomentDialog path={deed.path} close={close} done={done} />
    case 'import':
      return <ImportDialog path={deed.path} close={done} />
    case 'grants':
      return (
        <Suspense>
          <GrantDialog path={deed.path} close={close} />
        </Suspense>
      )
    case 'keeping':
      return <KeepingDialog path={deed.path} close={close} done={done} />
    case 'remove':
    case 'remove-version':
      return <RemoveDialog deed={deed} close={close} done={done} />
  }
}
