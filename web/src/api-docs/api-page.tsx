// The API, call by call: searched, opened, tried from a shell or a program.
import { Button, Skeleton, TextInput } from '@mantine/core'
import { IconFileCode, IconSearch } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useDeferredValue, useEffect, useMemo, useState, type ReactNode } from 'react'
import { routes } from '#contract'
import { TroubleBox } from '../app/trouble-box.tsx'
import { client } from '../site/client.ts'
import { useSpeech } from '../words/words.tsx'
import styles from './api.module.css'
import { type Description, found, operationsOf } from './description.ts'
import { OperationView } from './operation-view.tsx'
import { useApiWords } from './words.ts'

export function ApiPage(): ReactNode {
  const words = useApiWords()
  const { words: all, measures } = useSpeech()
  const [wanted, setWanted] = useState('')
  const sought = useDeferredValue(wanted)
  const description = useQuery({
    queryKey: ['openapi'],
    queryFn: async ({ signal }) => (await client.openapi({ signal })) as Description,
    staleTime: Infinity,
  })
  const operations = useMemo(() => (description.data === undefined ? [] : operationsOf(description.data)), [description.data])
  const shown = useMemo(() => found(operations, sought), [operations, sought])
  useEffect(() => {
    document.title = `${words.title} · ${all.app.name}`
  }, [words, all])
  return (
    <div className={styles.page}>
      <div className={styles.head}>
        <h1>{words.title}</h1>
        <p className={styles.soft}>{words.lead}</p>
        <p className={styles.soft}>
          {words.documentIs}{' '}
          <a href={routes.openapi.path} download="quorate-openapi.json">
            <IconFileCode size={16} aria-hidden /> openapi.json
          </a>
        </p>
      </div>
      <section className={styles.block} aria-labelledby="api-start">
        <h2 id="api-start">{words.start}</h2>
        <ul className={styles.facts}>
          {words.facts.map((fact) => (
            <li key={fact}>{fact}</li>
          ))}
        </ul>
      </section>
      <div className={styles.search} role="search">
        <TextInput
          type="search"
          label={words.search}
          placeholder={words.searchHint}
          leftSection={<IconSearch size={18} aria-hidden />}
          value={wanted}
          onChange={(event) => setWanted(event.currentTarget.value)}
        />
        {description.data !== undefined && (
          <p className={styles.soft} role="status">
            {words.count(measures.number(shown.length), measures.number(operations.length))}
          </p>
        )}
      </div>
      {description.isPending && <Skeleton height={320} aria-busy="true" />}
      {description.error !== null && <TroubleBox error={description.error} retry={() => void description.refetch()} />}
      {description.data !== undefined && shown.length === 0 && (
        <div className={styles.none}>
          <p>{words.none}</p>
          <Button variant="default" onClick={() => setWanted('')}>
            {words.all}
          </Button>
        </div>
      )}
      {[...Map.groupBy(shown, ({ group }) => group)].map(([group, some]) => (
        <section key={group} className={styles.group} aria-label={group}>
          <h2 lang="en">{group}</h2>
          {some.map((operation) => (
            <OperationView key={operation.name} operation={operation} types={description.data!.components.schemas} />
          ))}
        </section>
      ))}
    </div>
  )
}
