import { flag, fraction, oneOf, text, whole } from './setting.ts'

/** Logs, metrics and error reports. */
export const observabilitySettings = {
  log_level: oneOf(['DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'], {
    default: 'INFO',
    aliases: { WARN: 'WARNING', FATAL: 'CRITICAL', TRACE: 'DEBUG' },
    description: 'Least severe level that is logged, in any case. WARN, FATAL and TRACE are understood too.',
  }),
  enable_structured_logging: flag({
    default: true,
    env: ['STRUCTURED_LOGGING', 'ENABLE_STRUCTURED_LOGGING'],
    description: 'JSON lines on stdout. False: readable text.',
  }),
  colored_console: flag({
    default: true,
    description: 'Colour in the readable text, on a terminal and without NO_COLOR.',
  }),
  log_file: text({
    default: 'logs/agent_system.log',
    format: 'path',
    emptyMeansOff: true,
    description: 'File that gets the JSON lines as well. Empty: off.',
  }),
  log_file_keep_days: whole({
    default: 14,
    minimum: 0,
    description: 'Days that log_file is kept, rotated daily (UTC). 0: somebody else rotates it.',
  }),
  log_content: flag({ default: false, description: 'Prompts and answers in the log.' }),
  enable_metrics: flag({
    default: true,
    description: 'Collect metrics. False: /metrics and /metrics.json answer 404.',
  }),
  metrics_snapshot_file: text({
    default: 'metrics_final.json',
    format: 'path',
    emptyMeansOff: true,
    description: 'File that the metrics are written to at a graceful end. Empty: off.',
  }),
  health_min_success_rate: fraction({
    default: 0.9,
    minimum: 0,
    maximum: 1,
    description: 'Share of successful model calls at or below which /health says degraded.',
  }),
  sentry_dsn: text({
    default: '',
    format: 'sentry-dsn-or-empty',
    secret: true,
    description: 'Sentry project that errors are reported to. Empty: off.',
  }),
  sentry_traces_sample_rate: fraction({
    default: 0.1,
    minimum: 0,
    maximum: 1,
    description: 'Share of requests that Sentry traces.',
  }),
  sentry_environment: text({ default: 'production', description: "Environment in Sentry's reports." }),
  sentry_release: text({
    default: '',
    description: "Release in Sentry's reports. Empty: the version of this package.",
  }),
}
