import { Type } from '@sinclair/typebox'
import { planExport } from '../../workflows/export-files.ts'
import { ArtifactResource } from '../../workflows/resources.ts'
import type { HttpApp } from '../http-app.ts'
import { serviceFor } from '../principal-of.ts'
import type { RouteContext } from '../route-context.ts'
import type { RunDoor } from '../run-door.ts'
import { runExists } from '../run-door.ts'
import { answer, emptyAnswer, problems, refTo } from '../schemas.ts'
import { attachmentNamed, inertHeaders, sendFile } from '../send-file.ts'
import { zipFiles } from '../zip-files.ts'

/** The database keeps versions as 32-bit numbers. */
const maxVersion = 2_147_483_647

const FileQuery = Type.Object(
  {
    version: Type.Optional(
      Type.Integer({ minimum: 1, maximum: maxVersion, description: 'An earlier version; without it the current one.' }),
    ),
  },
  { additionalProperties: false },
)

function addList(app: HttpApp, { parts }: RouteContext, door: RunDoor): void {
  app.get(
    `${door.path}/artifacts`,
    {
      config: { scope: 'read', produces: ['application/json'], needs: 'database', exists: runExists(parts, door) },
      schema: {
        tags: ['artifacts'],
        summary: 'The files of the current results, by path',
        params: door.params,
        response: {
          200: answer('Per path the newest version.', {
            'application/json': Type.Object({ data: Type.Array(refTo(ArtifactResource)) }),
          }),
          ...problems(400, 404, 406, 503),
        },
      },
    },
    async (request) => ({ data: await serviceFor(parts, request).artifacts(door.ref(request.params)) }),
  )
}

function addFile(app: HttpApp, { parts }: RouteContext, door: RunDoor): void {
  app.get(
    `${door.path}/artifacts/*`,
    {
      config: { scope: 'read', needs: 'database', exists: runExists(parts, door) },
      schema: {
        tags: ['artifacts'],
        summary: 'One file',
        description: 'Always as an attachment that a browser runs nothing of. `ETag` is its SHA-256; `Range` works.',
        params: door.fileParams,
        querystring: FileQuery,
        response: {
          200: answer('The file.', { '*/*': Type.String({ contentEncoding: 'binary' }) }),
          206: answer('The part asked for.', { '*/*': Type.String({ contentEncoding: 'binary' }) }),
          304: emptyAnswer('The client has it.'),
          ...problems(400, 404, 416, 503),
        },
      },
    },
    async (request, reply) => {
      const version = request.query.version ?? null
      const file = await serviceFor(parts, request).artifact(door.ref(request.params), request.params['*'], version)
      return sendFile(request, reply, file)
    },
  )
}

function addZip(app: HttpApp, { parts }: RouteContext, door: RunDoor): void {
  app.get(
    `${door.path}/artifacts.zip`,
    {
      exposeHeadRoute: false,
      config: { scope: 'read', produces: ['application/zip'], needs: 'database', exists: runExists(parts, door) },
      schema: {
        tags: ['artifacts'],
        summary: 'All current files as one archive',
        description:
          'Files that cannot stand beside the others (a file in place of a folder, names that only case tells apart) are left out and listed in `.workflow/left-out.json`.',
        params: door.params,
        response: {
          200: answer('The archive.', { 'application/zip': Type.String({ contentEncoding: 'binary' }) }),
          ...problems(400, 404, 406, 503),
        },
      },
    },
    async (request, reply) => {
      const ref = door.ref(request.params)
      const files = await serviceFor(parts, request).artifacts(ref)
      const archive = zipFiles(
        planExport(files, (file) => Date.parse(file.created_at)),
        async (file) => (await serviceFor(parts, request).artifact(ref, file.path, file.version)).content,
      )
      void reply.headers({ ...inertHeaders, 'content-disposition': attachmentNamed(`${request.params.id}.zip`) })
      return reply.type('application/zip').send(archive)
    },
  )
}

/** The files of a run. */
export function addArtifactRoutes(app: HttpApp, context: RouteContext, door: RunDoor): void {
  addList(app, context, door)
  addZip(app, context, door)
  addFile(app, context, door)
}
