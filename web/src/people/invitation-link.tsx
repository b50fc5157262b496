// The one-time link, shown once: to copy, and as a QR code for somebody who stands beside.
import type { Invitation } from '#contract'
import { Button, CopyButton } from '@mantine/core'
import type { ReactNode } from 'react'
import { invitationAddress } from '../site/session.ts'
import { useSpeech } from '../words/words.tsx'
import dialogs from '../files/dialogs.module.css'
import { QrCode } from './qr.tsx'
import { usePeopleWords } from './words.ts'
import styles from './people.module.css'

export function InvitationLink({
  invitation,
  name,
  close,
}: {
  readonly invitation: Invitation
  readonly name: string
  readonly close: () => void
}): ReactNode {
  const { measures } = useSpeech()
  const people = usePeopleWords()
  const address = invitationAddress(invitation.token)
  return (
    <div className={styles.form}>
      <p className={styles.text}>{people.linkText(measures.date(invitation.expires))}</p>
      <code className={styles.secret} data-testid="invitation">
        {address}
      </code>
      <QrCode text={address} label={people.linkPicture(name)} />
      <div className={dialogs.buttons}>
        <CopyButton value={address}>
          {({ copied, copy }) => (
            <Button variant="default" onClick={copy} data-autofocus>
              {copied ? people.copied : people.copy}
            </Button>
          )}
        </CopyButton>
        <Button onClick={close}>{people.done}</Button>
      </div>
    </div>
  )
}
