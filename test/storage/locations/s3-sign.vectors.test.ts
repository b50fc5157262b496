// Signatures as AWS publishes them, and as its own software development kit makes them.
// Values: "Signature Calculations for the Authorization Header: Transferring Payload in a Single Chunk (AWS Signature Version 4)",
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html, the four examples
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client as AwsClient } from '@aws-sdk/client-s3'
import * as fc from 'fast-check'
import { EMPTY_SHA256, canonicalQuery, encodePath, sign, uriEncode } from '../../../src/storage/locations/s3/sign.ts'
import { keysOf } from './s3-servers.ts'

const credentials = keysOf('AKIAIOSFODNN7EXAMPLE', 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY')
const scope = { region: 'us-east-1', nowMs: Date.UTC(2013, 4, 24), credentials }
const host = 'examplebucket.s3.amazonaws.com'

const EXAMPLES = [
  {
    title: 'GET Object',
    request: { method: 'GET', path: '/test.txt', query: [], headers: { host, range: 'bytes=0-9' }, payload: EMPTY_SHA256 },
    signature: 'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
  },
  {
    title: 'PUT Object',
    request: {
      method: 'PUT',
      path: encodePath('/test$file.text'),
      query: [],
      headers: { host, date: 'Fri, 24 May 2013 00:00:00 GMT', 'x-amz-storage-class': 'REDUCED_REDUNDANCY' },
      payload: '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072',
    },
    signature: '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
  },
  {
    title: 'GET Bucket Lifecycle',
    request: { method: 'GET', path: '/', query: [['lifecycle', '']], headers: { host }, payload: EMPTY_SHA256 },
    signature: 'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
  },
  {
    title: 'Get Bucket (List Objects)',
    request: {
      method: 'GET',
      path: '/',
      query: [
        ['max-keys', '2'],
        ['prefix', 'J'],
      ],
      headers: { host },
      payload: EMPTY_SHA256,
    },
    signature: '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
  },
] as const

describe('AWS Signature Version 4', () => {
  it('has examples', () => assert.equal(EXAMPLES.length, 4))
  for (const { title, request, signature } of EXAMPLES) {
    it(`makes the published signature of ${title}`, () => {
      const signed = sign(request, scope)
      assert.equal(signed['authorization']?.split('Signature=')[1], signature)
      assert.match(
        signed['authorization'] ?? '',
        /^AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE\/20130524\/us-east-1\/s3\/aws4_request,SignedHeaders=/,
      )
    })
  }

  it('knows the SHA-256 of nothing', () => assert.equal(createHash('sha256').digest('hex'), EMPTY_SHA256))

  it('encodes as the document says', () => {
    assert.equal(uriEncode("a-b_c.d~e f/ü!'()*+="), 'a-b_c.d~e%20f%2F%C3%BC%21%27%28%29%2A%2B%3D')
    assert.equal(
      canonicalQuery([
        ['b', '1'],
        ['a-b', '2'],
        ['a', ''],
      ]),
      'a=&a-b=2&b=1',
    )
  })

  it('agrees with the kit of AWS, whatever is asked', async () => {
    interface Caught {
      method: string
      path: string
      query?: Record<string, string | string[] | null>
      headers: Record<string, string>
    }
    let caught: Caught | undefined
    const aws = new AwsClient({
      region: 'eu-central-1',
      endpoint: 'http://127.0.0.1:1',
      forcePathStyle: true,
      credentials: { accessKeyId: 'AKID', secretAccessKey: 'secret/+key', sessionToken: 'token==' },
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      requestHandler: {
        handle: (request: unknown) => {
          caught = request as Caught
          return Promise.reject(Object.assign(new Error('caught'), { $retryable: undefined }))
        },
      },
      maxAttempts: 1,
    })
    const mine = { ...keysOf('AKID', 'secret/+key'), sessionToken: keysOf('', 'token==').secretAccessKey }
    const segment = fc
      .string({ unit: fc.constantFrom(...'ab09._-~!$+ é'.split('')), minLength: 1, maxLength: 8 })
      .filter((text) => !/^\.+$/.test(text))
    await fc.assert(
      fc.asyncProperty(fc.array(segment, { minLength: 1, maxLength: 3 }), fc.nat(2), async (segments, kind) => {
        const key = segments.join('/')
        const command =
          kind === 0
            ? new GetObjectCommand({ Bucket: 'bucket', Key: key, Range: 'bytes=5-10', IfMatch: '"abc"' })
            : kind === 1
              ? new PutObjectCommand({ Bucket: 'bucket', Key: key, Body: 'hello', IfNoneMatch: '*' })
              : new ListObjectsV2Command({ Bucket: 'bucket', Prefix: key, StartAfter: key, MaxKeys: 7 })
        caught = undefined
        await aws.send(command as GetObjectCommand).catch(() => undefined)
        const request = caught as Caught | undefined
        assert.ok(request !== undefined)
        const theirs = request.headers['authorization']!
        const names = /SignedHeaders=([^,]*)/.exec(theirs)![1]!.split(';')
        const date = request.headers['x-amz-date']!
        const nowMs = Date.parse(date.replace(/(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z/, '$1-$2-$3T$4:$5:$6Z'))
        const added = ['x-amz-date', 'x-amz-content-sha256', 'x-amz-security-token']
        const headers = Object.fromEntries(names.filter((name) => !added.includes(name)).map((name) => [name, request.headers[name]!]))
        const query = Object.entries(request.query ?? {}).flatMap(([name, value]) =>
          [value ?? ''].flat().map((each) => [name, each] as const),
        )
        const path = kind === 2 ? request.path : encodePath(`/bucket/${key}`)
        const ours = sign(
          { method: request.method, path, query, headers, payload: request.headers['x-amz-content-sha256']! },
          { region: 'eu-central-1', nowMs, credentials: mine },
        )
        assert.equal(ours['authorization']!.split('Signature=')[1], theirs.split('Signature=')[1])
      }),
      { numRuns: 100 },
    )
  })
})
