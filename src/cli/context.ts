// What every command works with: the site, its words, and the signal to stop.
import type { Client } from '#contract'
import type { Host } from './host.ts'
import type { Output } from './output.ts'

export interface Context {
  readonly host: Host
  readonly client: Client
  readonly out: Output
  readonly signal: AbortSignal
}
