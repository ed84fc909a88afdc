import type { SettingsFile } from './settings.ts'

/** Fills in the defaults that other values give: the order of an endpoint, the price of cached input. */
export function withDerivedDefaults(file: SettingsFile): SettingsFile {
  const { endpoints, prices } = file.llm
  return {
    ...file,
    llm: {
      ...file.llm,
      endpoints: endpoints.map((endpoint, index) => Object.assign({ order: index + 1 }, endpoint)),
      prices: Object.fromEntries(
        Object.entries(prices).map(([model, price]) => [model, { cached_input: price.input, ...price }]),
      ),
    },
  }
}
