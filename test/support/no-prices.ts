import type { Pricing } from '../../src/workflows/budget-faults.ts'

/** No model has a price. */
export const noPrices: Pricing = { hasPrices: false, hasPrice: () => false, defaultModels: () => [] }
