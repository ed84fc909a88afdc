/** Imports a package of which only `Exports` is used; its own types are there only when it is installed. */
export async function importPackage<Exports>(name: string): Promise<Exports> {
  return (await import(name)) as Exports
}
