// Bounds of loops, queues, bodies and waits. One place, units in the names.

export const limits = {
  /** What the product offers; the format knows up to 255. */
  countMax: 32,
  thresholdMin: 2,
  chunkLog2Default: 18,
  headBytesMax: 4096,
  trailerBytesMax: 2 ** 24,
  extBytesMax: 1024,
  metaBytesMax: 2 ** 20,
  pathBytesMax: 4096,
  pathSegmentBytesMax: 1020,
  listPageMax: 1000,
  /** A location that makes no progress for this long is a laggard. */
  stallMs: 30_000,
  connectMs: 10_000,
  /** Gateways: what one request may weigh and how long it may keep us waiting. Uploads are bounded by silence, not by length. */
  requestHeadersBytesMax: 32_768,
  requestHeadersMs: 10_000,
  requestBodyBytesMax: 65_536,
  requestBodyMs: 30_000,
  uploadSilenceMs: 120_000,
  downloadSilenceMs: 600_000,
  /** After an answer that came before the end of the body, the rest is read for so long, so that the answer arrives. */
  lingerMs: 10_000,
  connectionsMax: 1024,
  /** From outside: one address, or one /64 of IPv6, holds at most so many of them. A hospital behind one address still fits. */
  connectionsPerAddressMax: 256,
  handshakeMs: 10_000,
  certificateLookMs: 10_000,
  eventListenersMax: 64,
  eventHeartbeatMs: 15_000,
  sessionsMax: 1024,
  stopGraceMs: 5_000,
  /** Running calls are looked at so often: their session may have expired. */
  presentLookMs: 15_000,
  /** People. */
  peopleMax: 10_000,
  groupsMax: 1000,
  credentialsOfPersonMax: 50,
  sessionsOfPersonMax: 20,
  sessionIdleMs: 30 * 60_000,
  sessionAbsoluteMs: 12 * 3_600_000,
  /** What changes how somebody signs in needs a sign-in that is not older. */
  sessionFreshMs: 15 * 60_000,
  invitationMs: 7 * 86_400_000,
  challengeMs: 5 * 60_000,
  /** How long somebody may be at a provider of single sign-on, and how long the provider may take to answer us. */
  providerMs: 10 * 60_000,
  providerAnswerMs: 10_000,
  totpSetupMs: 15 * 60_000,
  passwordLengthMin: 12,
  passwordLengthMax: 200,
  /** Each takes a thread and 19 MiB for some tens of milliseconds. */
  passwordsAtOnce: 2,
  passwordsWaiting: 64,
  /** Names and addresses whose failed attempts are remembered. */
  attemptsKept: 10_000,
  refusalsNotedPerMinute: 120,
  /** Sessions and tokens that are known without asking the database. */
  recognisedMax: 10_000,
  /** Alarms: one message may take so long; more than so many an hour become one that says so. */
  alarmSendMs: 30_000,
  alarmMessagesPerHourMax: 20,
  /** Different causes that rang and are not yet written down. */
  alarmsRungMax: 500,
  alarmsKeptMax: 5000,
  alarmDeliveriesKeptMax: 10_000,
  breachEntriesMax: 1000,
} as const
