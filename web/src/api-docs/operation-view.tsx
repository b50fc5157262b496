// One call: closed a line, opened everything that is needed to make it.
import { Button } from '@mantine/core'
import { useState, type ReactNode } from 'react'
import { announce } from '../app/announce.tsx'
import styles from './api.module.css'
import type { Operation, Types } from './description.ts'
import { curlOf, typescriptOf } from './examples.ts'
import { boundsText, shortType, typeText } from './type-text.ts'
import { useApiWords } from './words.ts'

interface OperationProps {
  readonly operation: Operation
  readonly types: Types
}

export function OperationView({ operation, types }: OperationProps): ReactNode {
  const [opened, setOpened] = useState(false)
  const words = useApiWords()
  const { method, path, summary, open } = operation
  return (
    <details className={styles.call} onToggle={(event) => setOpened(event.currentTarget.open)} data-testid={`call-${operation.name}`}>
      <summary>
        <code className={styles.method} data-method={method}>
          {method}
        </code>
        <code className={styles.path}>{path}</code>
        <span className={styles.about} lang="en">
          {summary}
          {open && <em> ({words.open})</em>}
        </span>
      </summary>
      {opened && <Opened operation={operation} types={types} />}
    </details>
  )
}

function Opened({ operation, types }: OperationProps): ReactNode {
  const words = useApiWords()
  const { body, answers, refusals, parameters } = operation
  return (
    <div className={styles.opened}>
      {parameters.length > 0 && <Parameters operation={operation} types={types} />}
      {body !== undefined && (
        <Part title={words.body} note={body.type}>
          {body.schema === undefined ? <p>{words.bytes}</p> : <Code label={words.body} text={typeText(body.schema, types)} />}
        </Part>
      )}
      {answers.map(({ status, type, schema, about }) => (
        <Part key={status} title={`${words.answer} ${status}`} note={type}>
          {about !== operation.summary && type !== 'text/event-stream' && <p lang="en">{about}</p>}
          {type === 'text/event-stream' && <p>{words.events}</p>}
          {schema === undefined ? (
            <p>{type === undefined ? words.nothing : words.answersBytes}</p>
          ) : (
            <Code label={`${words.answer} ${status}`} text={typeText(schema, types)} />
          )}
        </Part>
      ))}
      <Part title={words.example}>
        <Example title={words.shell} text={curlOf(operation, types, location.origin)} />
        <Example title={words.program} text={typescriptOf(operation, types, location.origin)} />
      </Part>
      <Part title={words.refusals}>
        <dl className={styles.refusals}>
          {refusals.map(({ status, codes }) => (
            <div key={status}>
              <dt>{status}</dt>
              <dd>
                {codes.map((code) => (
                  <code key={code}>{code}</code>
                ))}
              </dd>
            </div>
          ))}
        </dl>
      </Part>
    </div>
  )
}

function Parameters({ operation }: OperationProps): ReactNode {
  const words = useApiWords()
  return (
    <Part title={words.parameters}>
      <div className={styles.scroll} tabIndex={0} role="region" aria-label={words.parameters}>
        <table className={styles.table}>
          <thead>
            <tr>
              <th scope="col">{words.name}</th>
              <th scope="col">{words.where}</th>
              <th scope="col">{words.kind}</th>
              <th scope="col">{words.meaning}</th>
            </tr>
          </thead>
          <tbody>
            {operation.parameters.map(({ name, in: where, required, schema, description = '' }) => (
              <tr key={`${where} ${name}`}>
                <th scope="row">
                  <code>{name}</code>
                  {required === true && <span className={styles.required}> {words.required}</span>}
                </th>
                <td>{words.places[where]}</td>
                <td>
                  <code>{shortType(schema)}</code>
                </td>
                <td lang="en">{[boundsText(schema), description].filter((text) => text !== '').join('. ')}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Part>
  )
}

function Part({
  title,
  note,
  children,
}: {
  readonly title: string
  readonly note?: string | undefined
  readonly children: ReactNode
}): ReactNode {
  return (
    <section className={styles.part}>
      <h3>
        {title} {note !== undefined && <code>{note}</code>}
      </h3>
      {children}
    </section>
  )
}

function Code({ label, text }: { readonly label: string; readonly text: string }): ReactNode {
  return (
    <pre className={styles.code} tabIndex={0} role="region" aria-label={label}>
      <code>{text}</code>
    </pre>
  )
}

function Example({ title, text }: { readonly title: string; readonly text: string }): ReactNode {
  const words = useApiWords()
  const [copied, setCopied] = useState(false)
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(text)
    setCopied(true)
    announce(words.copied)
  }
  return (
    <div className={styles.example}>
      <div className={styles.exampleHead}>
        <h4>{title}</h4>
        <Button
          variant="default"
          size="compact-sm"
          onClick={() => void copy()}
          onBlur={() => setCopied(false)}
          aria-label={`${words.copy}: ${title}`}
        >
          {copied ? words.copied : words.copy}
        </Button>
      </div>
      <Code label={title} text={text} />
    </div>
  )
}
