// A small honest server of Google's JSON interface in this process, with its office for tokens; a test can bend its answers. There is no
// such server to be had: what is not in here was read in Google's documentation and never run.
import { type KeyObject, createVerify, generateKeyPairSync, randomBytes } from 'node:crypto'
import { type IncomingHttpHeaders, type IncomingMessage, type ServerResponse, createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { SecretBytes, utf8 } from '#base'
import type { ServiceAccount } from '../../../src/storage/locations/gcs/credentials.ts'
import { type FakeAnswer, reply } from './fake-s3.ts'

export interface FakeGcsRequest {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

export type GcsBend = 'pass' | 'lose' | 'lose answer' | 'hang' | FakeAnswer | ((response: ServerResponse, honest: () => FakeAnswer) => void)

interface StoredObject {
  readonly bytes: Buffer
  readonly generation: string
  readonly madeMs?: number
  retention?: { mode: string; retainUntilTime: string } | undefined
}

interface Session {
  readonly name: string
  readonly properties: { retention?: StoredObject['retention'] }
  readonly mustBeAbsent: boolean
  bytes: Buffer
}

export interface FakeGcs extends AsyncDisposable {
  readonly endpoint: string
  readonly account: ServiceAccount
  /** The JSON file of the account. */
  readonly accountFile: string
  readonly objects: Map<string, StoredObject>
  readonly sessions: Map<string, Session>
  readonly requests: FakeGcsRequest[]
  /** Tokens that are good. */
  readonly tokens: Set<string>
  tokensGiven: number
  /** Rights that the account lacks: `delete`, `list`, `create`, `retention`. */
  readonly denied: Set<string>
  /** Whether joined objects get no retention, though one was asked for. */
  composeForgetsRetention: boolean
  /** The bucket was made with object retention. */
  keepsRetention: boolean
  /** At most so many bytes of a piece are kept before the store answers. */
  pieceBytesMax: number
  bend: (request: FakeGcsRequest) => GcsBend
}

export const GCS_BUCKET = 'bucket-1'
const PIECE = 256 * 1024
let pair: { readonly publicKey: KeyObject; readonly privateKey: KeyObject } | undefined

export async function fakeGcs(): Promise<FakeGcs> {
  pair ??= generateKeyPairSync('rsa', { modulusLength: 2048 })
  const sockets = new Set<Socket>()
  const server = createServer((incoming, response) => void serve(fake, incoming, response))
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const pem = pair.privateKey.export({ type: 'pkcs8', format: 'pem' })
  const email = 'site@project.iam.gserviceaccount.com'
  const fake: FakeGcs = {
    endpoint,
    account: { email, keyId: 'key-1', privateKey: new SecretBytes(utf8(pem)), tokenUri: `${endpoint}/token` },
    accountFile: JSON.stringify({
      type: 'service_account',
      client_email: email,
      private_key: pem,
      private_key_id: 'key-1',
      token_uri: `${endpoint}/token`,
    }),
    objects: new Map(),
    sessions: new Map(),
    requests: [],
    tokens: new Set(),
    tokensGiven: 0,
    denied: new Set(),
    keepsRetention: true,
    composeForgetsRetention: false,
    pieceBytesMax: Number.POSITIVE_INFINITY,
    bend: () => 'pass',
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return fake
}

async function serve(fake: FakeGcs, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  incoming.on('error', () => undefined)
  response.on('error', () => undefined)
  const chunks: Buffer[] = []
  try {
    for await (const chunk of incoming) chunks.push(chunk as Buffer)
  } catch {
    return
  }
  const url = new URL(incoming.url ?? '/', 'http://h')
  const request: FakeGcsRequest = {
    method: incoming.method ?? 'GET',
    path: url.pathname,
    query: url.searchParams,
    headers: incoming.headers,
    body: Buffer.concat(chunks),
  }
  fake.requests.push(request)
  const honest = (): FakeAnswer => answerHonestly(fake, request)
  const bend = fake.bend(request)
  if (bend === 'hang') return
  if (bend === 'lose' || bend === 'lose answer') {
    if (bend === 'lose answer') honest()
    response.destroy()
    return
  }
  if (typeof bend === 'function') return bend(response, honest)
  reply(response, request, bend === 'pass' ? honest() : bend)
}

export function gcsError(status: number, reason: string): FakeAnswer {
  return json(status, { error: { code: status, message: 'm', errors: [{ domain: 'global', reason, message: 'm' }] } })
}

function json(status: number, value: unknown, headers: Record<string, string> = {}): FakeAnswer {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(value) }
}

function answerHonestly(fake: FakeGcs, request: FakeGcsRequest): FakeAnswer {
  if (request.path === '/token') return giveToken(fake, request)
  if (!fake.tokens.has(request.headers.authorization?.replace(/^Bearer /, '') ?? '')) return gcsError(401, 'authError')
  const upload = /^\/upload\/storage\/v1\/b\/([^/]+)\/o$/.exec(request.path)
  const stored = /^\/storage\/v1\/b\/([^/]+)\/o(?:\/([^/]+))?$/.exec(request.path)
  const composed = /^\/storage\/v1\/b\/([^/]+)\/o\/([^/]+)\/compose$/.exec(request.path)
  const bucket = (upload ?? stored ?? composed)?.[1]
  if (bucket !== GCS_BUCKET) return gcsError(404, 'notFound')
  if (upload !== null) return takeUpload(fake, request)
  if (composed !== null) return compose(fake, request, decodeURIComponent(composed[2]!))
  const name = stored?.[2]
  return name === undefined ? list(fake, request.query) : onObject(fake, request, decodeURIComponent(name))
}

/** Verifies the assertion as Google's office does (RFC 7523). */
function giveToken(fake: FakeGcs, { method, headers, body }: FakeGcsRequest): FakeAnswer {
  const form = new URLSearchParams(body.toString())
  const [header, claims, signature] = (form.get('assertion') ?? '').split('.')
  const refused = json(400, { error: 'invalid_grant' })
  if (method !== 'POST' || headers['content-type'] !== 'application/x-www-form-urlencoded') return refused
  if (form.get('grant_type') !== 'urn:ietf:params:oauth:grant-type:jwt-bearer' || signature === undefined) return refused
  if (!createVerify('sha256').update(`${header}.${claims}`).verify(pair!.publicKey, signature, 'base64url')) return refused
  const said = JSON.parse(Buffer.from(claims!, 'base64url').toString()) as Record<string, unknown>
  const kind = JSON.parse(Buffer.from(header!, 'base64url').toString()) as Record<string, unknown>
  const now = Date.now() / 1000
  const inTime = Number(said['iat']) <= now + 60 && Number(said['exp']) > now && Number(said['exp']) - Number(said['iat']) <= 3600
  if (kind['alg'] !== 'RS256' || said['iss'] !== fake.account.email || said['aud'] !== fake.account.tokenUri || !inTime) return refused
  const token = `ya29.${randomBytes(12).toString('hex')}`
  fake.tokens.add(token)
  fake.tokensGiven += 1
  return json(200, { access_token: token, expires_in: 3600, token_type: 'Bearer' })
}

function takeUpload(fake: FakeGcs, request: FakeGcsRequest): FakeAnswer {
  const { method, query, headers, body } = request
  const session = fake.sessions.get(query.get('upload_id') ?? '')
  if (method === 'DELETE') {
    return { status: fake.sessions.delete(query.get('upload_id') ?? '') ? 499 : 404 }
  }
  if (method === 'PUT') return session === undefined ? { status: 410 } : takePiece(fake, request, session)
  if (fake.denied.has('create')) return gcsError(403, 'forbidden')
  const name = query.get('name') ?? ''
  const mustBeAbsent = query.get('ifGenerationMatch') === '0'
  if (query.get('uploadType') === 'resumable') {
    const id = randomBytes(8).toString('hex')
    const properties = (body.length === 0 ? {} : JSON.parse(body.toString())) as Session['properties']
    fake.sessions.set(id, { name, properties, mustBeAbsent, bytes: Buffer.alloc(0) })
    const location = `${fake.endpoint}${request.path}?uploadType=resumable&name=${encodeURIComponent(name)}&upload_id=${id}`
    return { status: 200, headers: { location } }
  }
  if (query.get('uploadType') === 'media') return store(fake, name, { bytes: body, mustBeAbsent })
  const boundary = /boundary=(\S+)$/.exec(headers['content-type'] ?? '')?.[1]
  if (query.get('uploadType') !== 'multipart' || boundary === undefined) return gcsError(400, 'invalid')
  const text = body.toString('latin1')
  const [, properties, media] = text.split(`--${boundary}`)
  const contentOf = (part: string): string => part.slice(part.indexOf('\r\n\r\n') + 4, -2)
  const bytes = Buffer.from(contentOf(media!), 'latin1')
  return store(fake, name, { bytes, mustBeAbsent, ...(JSON.parse(contentOf(properties!)) as object) })
}

function takePiece(fake: FakeGcs, { query, headers, body }: FakeGcsRequest, session: Session): FakeAnswer {
  const match = /^bytes (?:(\d+)-(\d+)|\*)\/(\d+|\*)$/.exec(headers['content-range'] ?? '')
  if (match === null) return gcsError(400, 'badRequest')
  const total = match[3] === '*' ? undefined : Number(match[3])
  if (match[1] !== undefined) {
    const [first, last] = [Number(match[1]), Number(match[2])]
    if (last - first + 1 !== body.length || first > session.bytes.length) return gcsError(400, 'badRequest')
    if (total === undefined && body.length % PIECE !== 0) return gcsError(400, 'badRequest')
    const fresh = body.subarray(session.bytes.length - first).subarray(0, fake.pieceBytesMax)
    session.bytes = Buffer.concat([session.bytes, fresh])
  }
  if (total !== undefined && session.bytes.length === total) {
    const answer = store(fake, session.name, { bytes: session.bytes, mustBeAbsent: session.mustBeAbsent, ...session.properties })
    if (answer.status === 200) fake.sessions.set(query.get('upload_id')!, { ...session, mustBeAbsent: false })
    else fake.sessions.delete(query.get('upload_id')!)
    return answer
  }
  return { status: 308, headers: session.bytes.length === 0 ? {} : { range: `bytes=0-${session.bytes.length - 1}` } }
}

let generations = 1_700_000_000_000_000

function store(
  fake: FakeGcs,
  name: string,
  { bytes, mustBeAbsent, retention }: { bytes: Buffer; mustBeAbsent: boolean; retention?: StoredObject['retention'] },
): FakeAnswer {
  if (mustBeAbsent && fake.objects.has(name)) return gcsError(412, 'conditionNotMet')
  generations += 1
  fake.objects.set(name, { bytes, generation: String(generations), retention, madeMs: Date.now() })
  return json(200, { size: String(bytes.length) })
}

/** https://cloud.google.com/storage/docs/json_api/v1/objects/compose */
function compose(fake: FakeGcs, { method, query, body }: FakeGcsRequest, name: string): FakeAnswer {
  if (method !== 'POST') return gcsError(405, 'methodNotAllowed')
  const asked = JSON.parse(body.toString()) as {
    readonly sourceObjects: readonly { readonly name: string; readonly generation?: string }[]
    readonly destination: { readonly retention?: StoredObject['retention'] }
  }
  const wanted = query.get('ifGenerationMatch')
  if (wanted !== null && wanted !== (fake.objects.get(name)?.generation ?? '0')) return gcsError(412, 'conditionNotMet')
  const sources = asked.sourceObjects.map((one) => {
    const found = fake.objects.get(one.name)
    return found !== undefined && (one.generation ?? found.generation) === found.generation ? found : undefined
  })
  if (sources.length === 0 || sources.length > 32) return gcsError(400, 'invalid')
  if (sources.includes(undefined)) return gcsError(404, 'notFound')
  const bytes = Buffer.concat(sources.map((one) => one!.bytes))
  return store(fake, name, {
    bytes,
    mustBeAbsent: false,
    retention: fake.composeForgetsRetention ? undefined : asked.destination.retention,
  })
}

function onObject(fake: FakeGcs, { method, query, headers, body }: FakeGcsRequest, name: string): FakeAnswer {
  const object = fake.objects.get(name)
  if (method === 'DELETE' && fake.denied.has('delete')) return gcsError(403, 'forbidden')
  if (object === undefined || (query.get('generation') ?? object.generation) !== object.generation) return gcsError(404, 'notFound')
  if (method === 'DELETE') {
    if (object.retention !== undefined && Date.parse(object.retention.retainUntilTime) > Date.now())
      return gcsError(403, 'retentionPolicyNotMet')
    fake.objects.delete(name)
    return { status: 204 }
  }
  if (method === 'PATCH') {
    if (fake.denied.has('retention')) return gcsError(403, 'forbidden')
    if (!fake.keepsRetention) return gcsError(400, 'invalid')
    if ((query.get('ifGenerationMatch') ?? object.generation) !== object.generation) return gcsError(412, 'conditionNotMet')
    const wanted = (JSON.parse(body.toString()) as { retention: StoredObject['retention'] | null }).retention ?? undefined
    const standing = object.retention
    const until = (one: StoredObject['retention']): number => Date.parse(one?.retainUntilTime ?? '1970-01-01T00:00:00Z')
    if (standing !== undefined && until(standing) > Date.now()) {
      const weaker = until(wanted) < until(standing) || (standing.mode === 'Locked' && wanted?.mode !== 'Locked')
      if (weaker && (standing.mode === 'Locked' || query.get('overrideUnlockedRetention') !== 'true')) return gcsError(403, 'forbidden')
    }
    object.retention = wanted
    return json(200, {})
  }
  if (query.get('alt') !== 'media')
    return json(200, { size: String(object.bytes.length), generation: object.generation, retention: object.retention })
  if ((query.get('ifGenerationMatch') ?? object.generation) !== object.generation) return gcsError(412, 'conditionNotMet')
  const range = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '')
  if (range === null) return { status: 200, body: object.bytes }
  const [first, last] = [Number(range[1]), Math.min(Number(range[2]), object.bytes.length - 1)]
  if (first > last) return { status: 416 }
  return {
    status: 206,
    headers: { 'content-range': `bytes ${first}-${last}/${object.bytes.length}` },
    body: object.bytes.subarray(first, last + 1),
  }
}

function list(fake: FakeGcs, query: URLSearchParams): FakeAnswer {
  if (fake.denied.has('list')) return gcsError(403, 'forbidden')
  const [prefix, from, token] = [query.get('prefix') ?? '', query.get('startOffset') ?? '', query.get('pageToken') ?? '']
  const most = Number(query.get('maxResults') ?? 1000)
  const names = [...fake.objects.keys()].filter((name) => name.startsWith(prefix) && name >= from && name > token).sort()
  const shown = names.slice(0, most)
  return json(200, {
    ...(shown.length === 0
      ? {}
      : {
          items: shown.map((name) => ({
            name,
            size: String(fake.objects.get(name)!.bytes.length),
            generation: fake.objects.get(name)!.generation,
            timeCreated: new Date(fake.objects.get(name)!.madeMs ?? 0).toISOString(),
          })),
        }),
    ...(names.length > most ? { nextPageToken: shown.at(-1) } : {}),
  })
}
