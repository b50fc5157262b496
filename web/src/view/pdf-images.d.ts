// What we use of a part of pdf.js that comes without types.
declare module 'pdfjs-dist/image_decoders/pdf.image_decoders.mjs' {
  interface Decoder {
    decode(bytes: Uint8Array, options: { numComponents: number }): Promise<Uint8Array>
  }
  export const JpxImage: { readonly instance: Decoder }
}
