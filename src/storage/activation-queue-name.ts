/** Name of the queue of activations. */
export const activationQueueName = 'activation'
