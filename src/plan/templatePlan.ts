/** What a checked fault brings to its plan beside its times: its kind's part, and its selectors with their draws. Pure; used by faultPlans.ts and randomChaos.ts. */
import type { ParsedSelector } from '../profile/nodeSelector.js';
import type { ResolvedTemplate } from '../profile/resolveChaos.js';
import type { FaultPlan, NodeSelector } from './plan.js';

/** @param draw uniform in [0,1) */
export function templatePlan(template: ResolvedTemplate, draw: number): Omit<FaultPlan, 'id' | 'trigger' | 'forUs'> {
  const { kind, params, needsProxy, needsMesh, namedSelectors, shading, selector } = template;
  return {
    kind,
    selector: selector && drawnSelector(selector, draw),
    params,
    needsProxy,
    ...(needsMesh ? { needsMesh: true } : {}),
    ...(namedSelectors.length > 0 ? { selectors: namedSelectors.map((named) => drawnSelector(named, draw)) } : {}),
    shading,
  };
}

function drawnSelector(selector: ParsedSelector, draw: number): NodeSelector {
  return selector.by === 'randomMaster' || selector.by === 'randomReplica' ? { ...selector, draw } : selector;
}
