// Turns node-criu's operations and CRIU's notifications into OpenTelemetry spans, and prints those of a dump.
//
//   npm install @opentelemetry/api @opentelemetry/sdk-trace-base
//   node examples/opentelemetry.js PID DIRECTORY
import { tracingChannel } from 'node:diagnostics_channel';
import { context, SpanStatusCode, trace } from '@opentelemetry/api';
import {
  BasicTracerProvider,
  ConsoleSpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { Criu } from 'node-criu';

const spanProcessors = [new SimpleSpanProcessor(new ConsoleSpanExporter())];
trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors }));

/** Makes a span of each event of a channel. */
function traceChannel(channel, nameOf) {
  const tracer = trace.getTracer('node-criu');
  const spans = new WeakMap();
  tracingChannel(channel).subscribe({
    start(payload) {
      const { error, ...attributes } = payload;
      spans.set(payload, tracer.startSpan(nameOf(payload), { attributes }, context.active()));
    },
    error(payload) {
      const span = spans.get(payload);
      span?.recordException(payload.error);
      span?.setStatus({ code: SpanStatusCode.ERROR, message: payload.error?.code });
    },
    asyncEnd(payload) {
      spans.get(payload)?.end();
    },
  });
}

traceChannel('node-criu:operation', ({ operation }) => `criu.${operation}`);
traceChannel('node-criu:notification', ({ script }) => `criu step ${script}`);

const [pid, imagesDirectory] = process.argv.slice(2);
await new Criu().dump(Number(pid), { imagesDirectory, leaveRunning: true });
