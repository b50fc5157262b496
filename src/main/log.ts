// JSON lines on standard error; nothing is loaded where nothing is logged.
import type { LogLevel } from './environment.ts'

export interface SiteLog {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

export async function createLog(level: LogLevel): Promise<SiteLog> {
  if (level === 'silent') return { info: () => {}, warn: () => {}, error: () => {} }
  const { pino } = await import('pino')
  const logger = pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination({ fd: 2, sync: true }))
  return {
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
  }
}
