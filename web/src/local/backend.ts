// A model that lies beside the page, run in a worker.

import type { Backend, Model, Request, Written } from "../backend";
import type { LocalSite } from "../site";
import { Trouble } from "../trouble";
import type { Order, Report } from "./worker";

export class LocalBackend implements Backend {
  private readonly worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  private readonly listeners = new Map<number | null, (report: Report) => void>();
  private jobs = 0;

  constructor(private readonly site: LocalSite) {
    this.worker.onmessage = ({ data }: MessageEvent<Report>) =>
      this.listeners.get(data.kind === "ready" ? null : data.job)?.(data);
  }

  async models(): Promise<Model[]> {
    await new Promise<void>((resolve, reject) => {
      this.listeners.set(null, (report) =>
        report.kind === "trouble" ? reject(new Trouble(report.trouble, report.detail)) : resolve(),
      );
      this.worker.onerror = (event) => reject(new Trouble("unusable", event.message));
      this.order({ kind: "open", site: this.site, folder: document.baseURI });
    });
    const { name, about, bits_per_character: bitsPerCharacter } = this.site;
    return [{ name, about, bitsPerCharacter }];
  }

  async *write(request: Request, signal: AbortSignal): AsyncGenerator<Written> {
    const job = ++this.jobs;
    const waiting: Report[] = [];
    let wake = () => {};
    this.listeners.set(job, (report) => {
      waiting.push(report);
      wake();
    });
    signal.addEventListener("abort", () => this.order({ kind: "stop", job }), { once: true });
    this.order({ kind: "write", job, request });
    try {
      for (;;) {
        if (!waiting.length) await new Promise<void>((resolve) => (wake = resolve));
        const report = waiting.shift()!;
        if (report.kind === "trouble") throw new Trouble(report.trouble, report.detail);
        if (report.kind === "written") yield report;
        if (report.kind === "written" && report.done) return;
      }
    } finally {
      this.listeners.delete(job);
    }
  }

  private order(order: Order): void {
    this.worker.postMessage(order);
  }
}
