import { Ajv } from 'ajv'
import type { Options, ValidateFunction } from 'ajv'
import formats from 'ajv-formats'
import type { FastifyServerOptions } from 'fastify'

type SchemaController = NonNullable<FastifyServerOptions['schemaController']>
type ValidatorFactory = NonNullable<NonNullable<SchemaController['compilersFactory']>['buildValidator']>

/**
 * Builds validators for Fastify that are compiled at their first use: most routes are not called in a life of the
 * process, and compiling all of them is a tenth of its start. `shared` are the schemas that others refer to. A schema
 * that cannot be compiled therefore throws at the first request.
 */
export function createLazyValidators(options: Options): ValidatorFactory {
  return (shared: unknown) => {
    let ajv: Ajv | undefined
    return (route: unknown) => {
      // Fastify's types say that it is the schema itself.
      const { schema } = route as { readonly schema: object }
      let check: ValidateFunction | undefined
      const validate = (data: unknown): boolean => {
        check ??= (ajv ??= createAjv(shared, options)).compile(schema)
        const isValid = check(data)
        validate.errors = check.errors
        return isValid
      }
      validate.errors = undefined as ValidateFunction['errors']
      return validate as ValidateFunction
    }
  }
}

/** With the options that Fastify begins with. Schemas are not held to the schema of schemas, and the code is not optimised:
 * both take longer than compiling. */
function createAjv(shared: unknown, options: Options): Ajv {
  const ajv = new Ajv({ addUsedSchema: false, validateSchema: false, code: { optimize: false }, ...options })
  formats.default(ajv)
  for (const schema of Object.values(shared as Record<string, object>)) ajv.addSchema(schema)
  return ajv
}
