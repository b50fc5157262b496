// Bytes drawn as grey squares, row by row.
import { useEffect, useRef, type ReactNode } from 'react'
import styles from './fragment-view.module.css'

const SIDE = 64

export function BytePicture({ bytes, label }: { readonly bytes: Uint8Array; readonly label: string }): ReactNode {
  const canvas = useRef<HTMLCanvasElement>(null)
  const rows = Math.max(1, Math.ceil(bytes.length / SIDE))
  useEffect(() => {
    const context = canvas.current?.getContext('2d')
    if (context === null || context === undefined) return
    const picture = context.createImageData(SIDE, rows)
    for (const [index, byte] of bytes.entries()) picture.data.set([byte, byte, byte, 255], index * 4)
    context.putImageData(picture, 0, 0)
  }, [bytes, rows])
  return <canvas ref={canvas} width={SIDE} height={rows} className={styles.picture} role="img" aria-label={label} />
}
