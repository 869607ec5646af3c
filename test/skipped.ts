/** Says at the end of a run which tests were skipped, and where: they proved nothing. */
import type { Reporter, TestCase, TestModule, TestSuite } from "vitest/node"

export default class implements Reporter {
  onTestRunEnd(modules: ReadonlyArray<TestModule>): void {
    for (const module of modules) {
      // Whoever asks for some tests by name knows that.
      if (module.project.config.testNamePattern !== undefined) continue
      const skipped = [...module.children.allTests("skipped")]
      for (const [title, tests] of Map.groupBy(skipped, outermost)) {
        process.stderr.write(`SKIPPED: ${tests.length} of ${module.relativeModuleId} > ${title}\n`)
      }
    }
  }
}

// internal

const outermost = (entity: TestCase | TestSuite): string =>
  entity.parent.type === "module" ? entity.name : outermost(entity.parent)
