import type { Static } from '@sinclair/typebox'
import { Type } from '@sinclair/typebox'
import { AppError } from '../../errors.ts'
import type { HttpApp } from '../http-app.ts'
import { negotiate } from '../negotiation.ts'
import { problemListHtml, problemPageHtml, problemPages } from '../problem-pages.ts'
import type { ProblemPage } from '../problem-pages.ts'
import { answer, problems } from '../schemas.ts'

const forms = ['text/html', 'application/json'] as const
const htmlType = 'text/html; charset=utf-8'
const csp = {
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
  'x-content-type-options': 'nosniff',
}
const page = Type.Object({
  name: Type.String(),
  title: Type.String(),
  status: Type.Integer(),
  explanation: Type.String(),
})

const NameParams = Type.Object({ name: Type.String() })
type NameParams = Static<typeof NameParams>

function pageNamed({ name }: NameParams): ProblemPage {
  const found = problemPages.find((each) => each.name === name)
  if (!found) throw new AppError('not-found', 'There is no problem of this name.')
  return found
}

/** A short page for every problem type, for people and as JSON. */
export function addProblemRoutes(app: HttpApp): void {
  app.get(
    '/problems',
    {
      config: { scope: 'none', produces: forms },
      schema: {
        tags: ['description'],
        summary: 'All problem types',
        response: {
          200: answer('The list.', {
            'text/html': Type.String(),
            'application/json': Type.Object({ data: Type.Array(page) }),
          }),
          ...problems(400, 406),
        },
      },
    },
    async (request, reply) => {
      if (negotiate(request.headers.accept, forms) === 'application/json') return { data: problemPages }
      return reply.headers(csp).type(htmlType).send(problemListHtml())
    },
  )
  app.get(
    '/problems/:name',
    {
      config: { scope: 'none', produces: forms, exists: (request) => pageNamed(request.params as NameParams) },
      schema: {
        tags: ['description'],
        summary: 'What a problem means',
        params: NameParams,
        response: {
          200: answer('The page.', { 'text/html': Type.String(), 'application/json': page }),
          ...problems(400, 404, 406),
        },
      },
    },
    async (request, reply) => {
      const found = pageNamed(request.params)
      if (negotiate(request.headers.accept, forms) === 'application/json') return found
      return reply.headers(csp).type(htmlType).send(problemPageHtml(found))
    },
  )
}
