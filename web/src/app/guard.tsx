// Catches a part of the page that breaks, and says what to do.
import { Button } from '@mantine/core'
import { Component, type ReactNode } from 'react'
import { useWords } from '../words/words.tsx'
import { Stage } from './stage.tsx'

interface GuardState {
  readonly broken: boolean
}

/** React knows error boundaries only as classes. */
export class Guard extends Component<{ readonly children: ReactNode }, GuardState> {
  override state: GuardState = { broken: false }

  static getDerivedStateFromError(): GuardState {
    return { broken: true }
  }

  override render(): ReactNode {
    return this.state.broken ? <Broken /> : this.props.children
  }
}

function Broken(): ReactNode {
  const words = useWords()
  return (
    <Stage>
      <h1>{words.broken.title}</h1>
      <p>{words.broken.text}</p>
      <Button onClick={() => location.reload()}>{words.broken.reload}</Button>
    </Stage>
  )
}
