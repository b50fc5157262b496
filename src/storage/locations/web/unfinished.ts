// What an interrupted write left, where it can be read as an object: going on writes again what does not stay as it is.
import { assert } from '#base'
import { webBounds } from '../bounds.ts'
import type { FragmentSink, FragmentSource, LocationOptions, UnfinishedWrite } from '../contract.ts'

/** `goOn` begins a write that has the first `bytes` already, at most as many as are kept; the rest of these is copied. */
export function shownUnfinished(
  source: FragmentSource,
  goOn: (keep: number, options: LocationOptions) => Promise<{ readonly sink: FragmentSink; readonly bytes: number }>,
): UnfinishedWrite {
  return {
    sizeBytes: source.sizeBytes,
    read: (offset, into, options) => source.read(offset, into, options),
    resume: async (keep, options = {}) => {
      assert(keep <= source.sizeBytes, 'resume within what is there')
      try {
        const { sink, bytes } = await goOn(keep, options)
        await copy(source, sink, { from: bytes, to: keep }, options)
        return sink
      } finally {
        await source.close()
      }
    },
    close: () => source.close(),
  }
}

async function copy(
  source: FragmentSource,
  sink: FragmentSink,
  range: { readonly from: number; readonly to: number },
  options: LocationOptions,
): Promise<void> {
  const block = new Uint8Array(Math.min(webBounds.blockBytes, range.to - range.from))
  try {
    for (let at = range.from; at < range.to; at += block.length) {
      const part = block.subarray(0, Math.min(block.length, range.to - at))
      await source.read(at, part, options)
      await sink.write(part)
    }
  } catch (error) {
    await sink.abort()
    throw error
  }
}
