// One message over SMTP, never in clear over a network and never with more than the message itself.
import type { Transporter } from 'nodemailer'
import { Failure, limits } from '#base'
import type { MailSettings } from '#contract'
import type { Message } from './message.ts'
import type { Secrets } from './secrets.ts'
import { isLoopback } from './settings.ts'

/** Thrown when trying again changes nothing: the server refuses this recipient or sender for good. */
export class RefusedForGood extends Failure {}

/** Throws `alarms.delivery` with what went wrong. The library is loaded where something is sent. */
export async function sendMail(
  settings: MailSettings,
  request: { readonly to: string; readonly message: Message },
  given: { readonly secrets: Secrets; readonly timeoutMs?: number; readonly signal: AbortSignal },
): Promise<void> {
  const { to, message } = request
  const timeoutMs = given.timeoutMs ?? limits.alarmSendMs
  const transport = await open(settings, given)
  // One deadline for the whole talk: a server that drips is as bad as one that is silent.
  const late = AbortSignal.timeout(timeoutMs)
  try {
    await transport.sendMail({
      from: settings.from,
      to,
      subject: message.subject,
      text: message.text,
      // The same at every try, so that a message that came twice is known as one.
      messageId: `<${message.id}@quorate>`,
      headers: { 'Auto-Submitted': 'auto-generated', 'X-Quorate-Reason': message.reason },
      disableFileAccess: true,
      disableUrlAccess: true,
      signal: AbortSignal.any([given.signal, late]),
    })
  } catch (error) {
    if (given.signal.aborted) throw new Failure('base.cancelled')
    if (late.aborted)
      throw new Failure('alarms.delivery', { detail: `The mail server did not answer within ${timeoutMs / 1000} s.`, cause: error })
    throw failureOf(error)
  } finally {
    transport.close()
  }
}

async function open(settings: MailSettings, given: { readonly secrets: Secrets; readonly timeoutMs?: number }): Promise<Transporter> {
  const { host, port, security, user, passwordFile, authorityFile } = settings
  if (security === 'none' && !isLoopback(host)) throw new Failure('alarms.settings', { detail: 'Mail would cross the network in clear.' })
  const pass = passwordFile === null ? undefined : await given.secrets.text(passwordFile)
  const ca = authorityFile === null ? undefined : await given.secrets.text(authorityFile)
  const timeoutMs = given.timeoutMs ?? limits.alarmSendMs
  const { createTransport } = await import('nodemailer')
  return createTransport({
    host,
    port,
    secure: security === 'tls',
    requireTLS: security === 'starttls',
    ignoreTLS: security === 'none',
    ...(user === null || pass === undefined ? {} : { auth: { user, pass } }),
    tls: { minVersion: 'TLSv1.2', ...(ca === undefined ? {} : { ca }) },
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    dnsTimeout: timeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
}

/** By codes alone: what the server said may repeat addresses. */
function failureOf(error: unknown): Failure {
  if (error instanceof Failure) return error
  const { code = 'unknown', responseCode, command = '' } = error as { code?: string; responseCode?: number; command?: string }
  const said = responseCode === undefined ? code : `${code} ${responseCode}`
  const gone = responseCode !== undefined && responseCode >= 550 && responseCode < 560 && code === 'EENVELOPE'
  if (gone)
    return new RefusedForGood('alarms.delivery', {
      detail: `The mail server refuses the recipient or the sender (${said}).`,
      next: 'Check the addresses.',
      cause: error,
    })
  if (code === 'EAUTH')
    return new Failure('alarms.delivery', {
      detail: `The mail server refuses user or password (${said}).`,
      next: 'Write the right password into its file.',
      cause: error,
    })
  if (code === 'ETLS' || command === 'STARTTLS')
    return new Failure('alarms.delivery', {
      detail: `The mail server offers no encryption that we accept (${said}).`,
      next: 'Use its port for TLS, or mend its certificate.',
      cause: error,
    })
  if (responseCode !== undefined && responseCode >= 400 && responseCode < 500)
    return new Failure('alarms.delivery', { detail: `The mail server wants it later (${said}).`, cause: error })
  return new Failure('alarms.delivery', { detail: `The mail server did not take it (${said}).`, cause: error })
}
