// Single keys that work on the whole page. They rest while text is typed or a dialog is open, and can be turned off (WCAG 2.1.4).
import { useEffect, useEffectEvent } from 'react'
import { go } from './route.ts'
import { recall, remember } from './remember.ts'

export function shortcutsEnabled(): boolean {
  return recall('shortcuts') !== 'off'
}

export function enableShortcuts(enabled: boolean): void {
  remember('shortcuts', enabled ? 'on' : 'off')
}

/** True when a key belongs to something else: a text field, a menu, a dialog, a modifier. */
export function keyIsTaken(event: KeyboardEvent): boolean {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return true
  const target = event.target instanceof Element ? event.target : undefined
  if (target?.closest('input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]') !== null && target !== undefined)
    return true
  return document.querySelector('[role=dialog][aria-modal=true], [role=menu]') !== null
}

/** Calls `run` for a single key, unless the key is taken or single keys are turned off. */
export function useKey(key: string, run: () => void): void {
  const act = useEffectEvent(run)
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      if (event.key.toLowerCase() !== key || keyIsTaken(event) || !shortcutsEnabled()) return
      event.preventDefault()
      act()
    }
    addEventListener('keydown', pressed)
    return () => removeEventListener('keydown', pressed)
  }, [key])
}

export function usePageKeys(help: () => void): void {
  useKey('?', help)
  useKey('f', () => go({ page: 'files', path: '/' }))
  useKey('l', () => go({ page: 'locations' }))
}
