import type { HttpApp } from './http-app.ts'

/** Which methods the paths of the application have. */
export interface KnownRoutes {
  /** Methods of the routes that a path belongs to; empty when nothing is there. */
  methodsAt(path: string): readonly string[]
}

interface KnownRoute {
  readonly pattern: RegExp
  readonly methods: Set<string>
}

function patternOf(url: string): RegExp {
  const parts = url.split('/').map((part) => {
    if (part.startsWith(':')) return '[^/]+'
    return part === '*' ? '.*' : RegExp.escape(part)
  })
  return new RegExp(`^${parts.join('/')}$`)
}

/** Watches the routes as they are added: call it before the first one. */
export function watchRoutes(app: HttpApp): KnownRoutes {
  const routes = new Map<string, KnownRoute>()
  app.addHook('onRoute', ({ url, method }) => {
    // Every path has OPTIONS, by a route of its own or without: it tells nothing.
    if (method === 'OPTIONS') return
    const known = routes.get(url) ?? { pattern: patternOf(url), methods: new Set<string>() }
    for (const name of [method].flat()) known.methods.add(name)
    routes.set(url, known)
  })
  return {
    methodsAt(path) {
      const found = new Set<string>()
      for (const { pattern, methods } of routes.values()) {
        if (pattern.test(path)) for (const method of methods) found.add(method)
      }
      return [...found].toSorted()
    },
  }
}
