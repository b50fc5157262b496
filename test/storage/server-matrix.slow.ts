// Every kind of real server, killed, stopped and filled in the middle of a put, a get and a repair: a table of cells. SERVER, FAULT and WORK name some.
import { suite, test } from 'node:test'
import { endpointOf } from './locations/s3-servers.ts'
import { cell, FAULTS, noCell, SERVERS, WORKS } from './server-matrix.ts'

const wanted = (variable: string, one: string): boolean => (process.env[variable] ?? one) === one

suite('one server of a vault', () => {
  for (const kind of SERVERS.filter((one) => wanted('SERVER', one))) {
    // Where it is not installed a line says so.
    if (endpointOf(kind) === undefined) continue
    for (const fault of FAULTS.filter((one) => wanted('FAULT', one)))
      for (const work of WORKS.filter((one) => wanted('WORK', one))) {
        test(`${kind}: ${fault} in the middle of a ${work}`, { skip: noCell(kind, fault) ?? false }, () => cell(kind, fault, work))
      }
  }
})
