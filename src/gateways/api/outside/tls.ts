// How the site speaks TLS to the outside: 1.3, with a key exchange that a later quantum computer does not open.
import type { SecureContextOptions } from 'node:tls'
import type { CertificatePair } from './certificate.ts'

/** The hybrid of X25519 and ML-KEM-768 (draft-ietf-tls-ecdhe-mlkem) first: what is recorded today stays closed. */
const GROUPS = 'X25519MLKEM768:X25519:P-256:P-384'
/** Forward secret and authenticated only; those of 1.2 are offered where 1.2 is. */
const CIPHERS = [
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'TLS_AES_128_GCM_SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':')

/** A year, for this name alone: whoever came once never speaks plain HTTP to it again. */
export const STRICT_TRANSPORT = 'max-age=31536000'

/** `old`: also TLS 1.2, for browsers that cannot do better. */
export function secureOptions(pair: CertificatePair, options: { readonly old: boolean }): SecureContextOptions {
  return {
    cert: pair.certificate,
    key: pair.key,
    minVersion: options.old ? 'TLSv1.2' : 'TLSv1.3',
    ecdhCurve: GROUPS,
    ciphers: CIPHERS,
    honorCipherOrder: true,
  }
}
