// A way to a site's socket that breaks: after so many bytes towards the site or back, whichever comes first.
import { rm } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'

export interface BreakingLink {
  readonly path: string
  /** Connections that were broken so far. */
  readonly breaks: () => number
  close(): Promise<void>
}

/** @param bytesAfter how many bytes the next connection carries before it breaks */
export async function breakingLink(target: string, path: string, bytesAfter: () => number): Promise<BreakingLink> {
  const sockets = new Set<Socket>()
  let breaks = 0
  const server = createServer((near) => {
    const far = connect(target)
    let left = bytesAfter()
    const end = (): void => {
      near.destroy()
      far.destroy()
    }
    const carry = (from: Socket, to: Socket): void => {
      from.on('data', (data: Buffer) => {
        left -= data.length
        if (left < 0) {
          breaks += 1
          end()
        } else if (!to.write(data)) {
          from.pause()
          to.once('drain', () => from.resume())
        }
      })
      from.on('end', () => to.end())
    }
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', end).on('close', () => {
        sockets.delete(socket)
        end()
      })
    }
    carry(near, far)
    carry(far, near)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(path, resolve)
  })
  return {
    path,
    breaks: () => breaks,
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => {
        server.close(resolve)
      })
      await rm(path, { force: true })
    },
  }
}
