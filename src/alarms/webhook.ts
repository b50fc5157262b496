// One POST of JSON over HTTPS, signed so that the receiver knows who says it and when. Redirects are not followed, answers not read.
import { createHmac } from 'node:crypto'
import { request as httpsRequest } from 'node:https'
import { isIP } from 'node:net'
import { Failure, limits } from '#base'
import type { WebhookSettings } from '#contract'
import type { Message } from './message.ts'
import { innerRefused, isPrivate, outerLookup } from './private-addresses.ts'
import type { Secrets } from './secrets.ts'

/** `Quorate-Signature: t=SECONDS,v1=HEX`, HMAC-SHA-256 under the secret over `SECONDS.BODY`. */
export function signature(request: { readonly secret: Uint8Array; readonly seconds: number; readonly body: string }): string {
  const { secret, seconds, body } = request
  return `t=${seconds},v1=${createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')}`
}

/** Throws `alarms.delivery` with what went wrong; any answer of 200 to 299 is success. */
export async function callWebhook(
  settings: WebhookSettings,
  message: Message,
  given: { readonly secrets: Secrets; readonly nowMs: number; readonly timeoutMs?: number; readonly signal: AbortSignal },
): Promise<void> {
  const url = new URL(settings.url)
  const host = url.hostname.replace(/^\[|\]$/g, '')
  if (!settings.allowPrivate && isIP(host) !== 0 && isPrivate(host)) throw innerRefused()
  const secret = await given.secrets.bytes(settings.secretFile)
  const ca = settings.authorityFile === null ? undefined : await given.secrets.text(settings.authorityFile)
  const body = JSON.stringify(message.json)
  const timeoutMs = given.timeoutMs ?? limits.alarmSendMs
  const status = await new Promise<number>((resolve, reject) => {
    const request = httpsRequest(
      url,
      {
        method: 'POST',
        agent: false,
        ...(ca === undefined ? {} : { ca }),
        ...(settings.allowPrivate ? {} : { lookup: outerLookup() }),
        minVersion: 'TLSv1.2',
        maxHeaderSize: limits.requestHeadersBytesMax,
        // One deadline from the look-up to the status: a server that drips is as bad as one that is silent.
        signal: AbortSignal.any([given.signal, AbortSignal.timeout(timeoutMs)]),
        headers: {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
          'user-agent': 'Quorate',
          'quorate-delivery': message.id,
          'quorate-signature': signature({ secret, seconds: Math.floor(given.nowMs / 1000), body }),
        },
      },
      (response) => {
        response.destroy()
        resolve(response.statusCode ?? 0)
      },
    )
    request.on('error', reject)
    request.end(body)
  }).catch((error: unknown) => {
    if (error instanceof Failure) throw error
    throw given.signal.aborted ? new Failure('base.cancelled') : unreachable(error, timeoutMs)
  })
  if (status >= 300 && status < 400)
    throw new Failure('alarms.delivery', {
      detail: `The webhook answered ${status}, a redirect, which is not followed.`,
      next: 'Set its final address.',
    })
  if (status < 200 || status >= 300) throw new Failure('alarms.delivery', { detail: `The webhook answered ${status}.` })
}

/** Codes of the system and of TLS, never its words, which may repeat addresses. */
function unreachable(error: unknown, timeoutMs: number): Failure {
  const late = error instanceof Error && (error.name === 'TimeoutError' || error.name === 'AbortError')
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown'
  return new Failure('alarms.delivery', {
    detail: late ? `The webhook did not answer within ${timeoutMs / 1000} s.` : `The webhook cannot be reached (${code}).`,
    cause: error,
  })
}
