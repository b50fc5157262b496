// The stream of answers of an SFTP server, cut into answers. Bytes of objects go straight into the view that a request named.
import { sftpBounds } from '../bounds.ts'
import { readU32 } from './fields.ts'
import { ANSWER, type Answer, decodeAnswer } from './packets.ts'

/** The server breaks the protocol: nothing after this can be understood. */
export class GarbledError extends Error {
  override readonly name = 'GarbledError'
}

export interface AnswerReceiver {
  /** Where the bytes read for a request go; undefined drops them. Asked again for every piece, so that a cancelled read gets no more. */
  viewFor(id: number): Uint8Array | undefined
  /** How many bytes that request may be given at most; undefined when no such read is under way. */
  lengthFor(id: number): number | undefined
  answered(id: number, answer: Answer): void
  /** The first packet. */
  version(version: number, extensions: Uint8Array): void
}

const HEAD_BYTES = 9

/** Takes bytes as they come, in pieces of any size. */
export class AnswerReader {
  readonly #receiver: AnswerReceiver
  readonly #head = new Uint8Array(HEAD_BYTES + 4)
  #headLength = 0
  #body: Uint8Array = new Uint8Array(0)
  #bodyLength = 0
  /** Bytes of data still to come, and how many of them have. */
  #data: { readonly id: number; readonly length: number; got: number } | undefined
  #greeted = false

  constructor(receiver: AnswerReceiver) {
    this.#receiver = receiver
  }

  /** Throws `GarbledError` for what no server may send. */
  push(chunk: Uint8Array): void {
    let at = 0
    while (at < chunk.length) {
      if (this.#data !== undefined) at += this.#takeData(this.#data, chunk.subarray(at))
      else if (this.#headLength < HEAD_BYTES) at += this.#takeHead(chunk.subarray(at), HEAD_BYTES)
      else if (this.#type() === ANSWER.data && this.#greeted) {
        if (this.#headLength < HEAD_BYTES + 4) at += this.#takeHead(chunk.subarray(at), HEAD_BYTES + 4)
        if (this.#headLength === HEAD_BYTES + 4) this.#beginData()
      } else at += this.#takeBody(chunk.subarray(at))
    }
  }

  #type(): number {
    return this.#head[4]!
  }

  #id(): number {
    return readU32(this.#head, 5)!
  }

  #packetLength(): number {
    return readU32(this.#head, 0)!
  }

  #takeHead(chunk: Uint8Array, until: number): number {
    const take = Math.min(until - this.#headLength, chunk.length)
    this.#head.set(chunk.subarray(0, take), this.#headLength)
    this.#headLength += take
    if (this.#headLength !== HEAD_BYTES) return take
    const length = this.#packetLength()
    if (length < 5 || length > sftpBounds.answerBytesMax) throw new GarbledError('length')
    if (this.#greeted === (this.#type() === ANSWER.version)) throw new GarbledError('order')
    if (this.#type() === ANSWER.data) return take
    this.#body = new Uint8Array(length - 5)
    this.#bodyLength = 0
    if (length === 5) this.#endBody()
    return take
  }

  #takeBody(chunk: Uint8Array): number {
    const take = Math.min(this.#body.length - this.#bodyLength, chunk.length)
    this.#body.set(chunk.subarray(0, take), this.#bodyLength)
    this.#bodyLength += take
    if (this.#bodyLength === this.#body.length) this.#endBody()
    return take
  }

  #endBody(): void {
    const [type, id, body] = [this.#type(), this.#id(), this.#body]
    this.#headLength = 0
    this.#body = new Uint8Array(0)
    if (!this.#greeted) {
      this.#greeted = true
      this.#receiver.version(id, body)
      return
    }
    const answer = decodeAnswer(type, body)
    if (answer === undefined) throw new GarbledError('form')
    this.#receiver.answered(id, answer)
  }

  #beginData(): void {
    const [id, length] = [this.#id(), readU32(this.#head, HEAD_BYTES)!]
    const most = this.#receiver.lengthFor(id)
    if (length !== this.#packetLength() - HEAD_BYTES || length === 0) throw new GarbledError('data')
    // More than was asked for would be written past the view.
    if (most !== undefined && length > most) throw new GarbledError('overlong')
    this.#data = { id, length, got: 0 }
  }

  #takeData(data: { readonly id: number; readonly length: number; got: number }, chunk: Uint8Array): number {
    const take = Math.min(data.length - data.got, chunk.length)
    this.#receiver.viewFor(data.id)?.set(chunk.subarray(0, take), data.got)
    data.got += take
    if (data.got === data.length) {
      this.#data = undefined
      this.#headLength = 0
      this.#receiver.answered(data.id, { kind: 'data', length: data.length })
    }
    return take
  }
}
