import { CODES, type RuleName } from '../../diagnostics/codes.ts';
import type { Diagnostic, Fix, RelatedPlace } from '../../diagnostics/types.ts';
import type { Model } from './model.ts';

export interface Extra {
  remedy?: string;
  fix?: Fix;
  related?: { start: number; end: number; message: string }[];
}

/** Adds a finding of the compiler at `start`–`end` of the model's own file. */
export function report(
  model: Model,
  rule: RuleName,
  start: number,
  end: number,
  message: string,
  extra: Extra = {},
): void {
  const { code, severity } = CODES[rule];
  const related: RelatedPlace[] = (extra.related ?? []).map((place) => ({
    file: model.file,
    span: model.positions.span(place.start, place.end),
    message: place.message,
  }));
  const diagnostic: Diagnostic = {
    code,
    rule,
    severity,
    file: model.file,
    span: model.positions.span(start, end),
    message,
    related,
  };
  if (extra.remedy) diagnostic.remedy = extra.remedy;
  if (extra.fix) diagnostic.fix = extra.fix;
  model.diagnostics.push(diagnostic);
}
