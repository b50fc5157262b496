// The person who runs this process.
import { userInfo } from 'node:os'
import type { Actor } from '#access'

export function operator(): Actor {
  try {
    return { kind: 'local', name: userInfo().username }
  } catch {
    return { kind: 'local', name: String(process.getuid?.() ?? 'local') }
  }
}
