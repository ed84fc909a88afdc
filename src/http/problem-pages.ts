import type { ProblemName } from './problem.ts'
import { problemTitles, statusOfCode } from './problem.ts'

/** What each problem means, and what a client can do about it. */
const explanations: Readonly<Record<ProblemName, string>> = {
  'invalid-request':
    'The request does not have the form that the route takes. "errors" names every part that is at fault, with a JSON pointer into the body or the name of the parameter or header. Correct it; the same request will never succeed.',
  'invalid-cursor':
    'The cursor was not made by this service, belongs to another stream or list, or points beyond what there is. Begin without one, or go on from the last id or next that you were given.',
  unauthorized: 'The request carries no key, or one that is not known. Send "Authorization: Bearer KEY".',
  forbidden: 'The key is known, but does not have the scope that this needs. Use another key.',
  'not-found': 'There is nothing under this path, or it belongs to somebody else, or it was deleted. Check the id.',
  'method-not-allowed': 'The path exists, the method does not. The header Allow lists those that do.',
  'not-acceptable': 'The header Accept admits none of the forms that the answer has. "detail" lists them.',
  conflict:
    'The state of the workflow does not allow this now: only what has failed or was cancelled can be resumed, only what has ended can be run again or deleted, only a step that waits for a person can be approved or rejected. "workflow_status" and "step_status" say what it is, "detail" what would help.',
  'payload-too-large': 'The body is larger than the setting body_limit_bytes allows. Send less.',
  'unsupported-media-type':
    'Bodies are JSON in UTF-8, not compressed. Send "Content-Type: application/json", and no Content-Encoding.',
  'range-not-satisfiable':
    'The header Range asks for bytes that the file does not have. Content-Range says how many it has.',
  'invalid-workflow':
    'Every field is well-formed, but the workflow cannot be done as a whole: an unknown type, role, task type or dependency, a duplicate id, a cycle, an approval of a step that is not there. "errors" names what is at fault.',
  'idempotency-key-reused':
    'The same Idempotency-Key came before with another method, path or body, so this cannot be a repetition of that request. Use a new key for a new request. A key is free again after 24 hours, or when what it was used for is deleted.',
  'rate-limited': 'Too many requests in a short time. Wait as long as Retry-After says.',
  'queue-full': 'As many workflows wait as the service takes (max_queued_workflows). Wait as long as Retry-After says.',
  overloaded: 'The service does as much as it can, or as many streams are open as it allows. Wait as Retry-After says.',
  draining:
    'This process is shutting down: it finishes what runs and takes nothing new. Nothing was started. Send the request again after Retry-After.',
  unavailable: 'The service is starting, or its database is away. Send the request again after Retry-After.',
  internal:
    'The service hit a defect of its own. Nothing in the request is known to be wrong. The correlation id leads to the cause in the log.',
}

/** One page, by its name. */
export interface ProblemPage {
  readonly name: ProblemName
  readonly title: string
  readonly status: number
  readonly explanation: string
}

/** All pages, by status. */
export const problemPages: readonly ProblemPage[] = (Object.keys(explanations) as ProblemName[])
  .map((name) => ({
    name,
    title: problemTitles[name],
    status: statusOfCode(name),
    explanation: explanations[name],
  }))
  .toSorted((a, b) => a.status - b.status)

const style =
  'body{font:16px/1.5 system-ui,sans-serif;max-width:42rem;margin:3rem auto;padding:0 1rem;color:#1f2937;background:#fff}code{background:#f3f4f6;padding:.1em .3em}@media(prefers-color-scheme:dark){body{color:#e5e7eb;background:#111827}code{background:#1f2937}a{color:#93c5fd}}'

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)
}

function htmlPage(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(title)}</title><style>${style}</style></head>
<body>
${body}
</body>
</html>
`
}

/** The page of one problem as HTML. */
export function problemPageHtml({ name, title, status, explanation }: ProblemPage): string {
  const head = `<h1>${escapeHtml(title)}</h1>\n<p><code>${name}</code> · HTTP ${status}</p>`
  return htmlPage(title, `${head}\n<p>${escapeHtml(explanation)}</p>\n<p><a href="/problems">All problems</a></p>`)
}

/** The list of all problems as HTML. */
export function problemListHtml(): string {
  const items = problemPages.map(
    ({ name, title, status }) => `<li>${status} <a href="/problems/${name}">${name}</a>: ${escapeHtml(title)}</li>`,
  )
  return htmlPage('Problems', `<h1>Problems</h1>\n<ul>\n${items.join('\n')}\n</ul>`)
}
