// Several at once, never more than a few waiting.

/** Works on the items as they come, at most `width` at once. After a failure no new one begins; it is thrown when the others have ended. */
export async function inParallel<T>(items: AsyncIterable<T>, width: number, work: (item: T) => Promise<void>): Promise<void> {
  const running = new Set<Promise<void>>()
  let failed: { readonly error: unknown } | undefined
  try {
    for await (const item of items) {
      const one: Promise<void> = work(item)
        .catch((error: unknown) => void (failed ??= { error }))
        .finally(() => running.delete(one))
      running.add(one)
      if (running.size >= width) await Promise.race(running)
      if (failed !== undefined) break
    }
  } finally {
    await Promise.all(running)
  }
  if (failed !== undefined) throw failed.error
}
