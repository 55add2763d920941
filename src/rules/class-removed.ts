import { defineRule } from './define-rule.ts';

const money = (members: string): string => `import { deserialize, serialize } from 'pawl';

export class Money {
  constructor(readonly cents: number) {}
${members}}

export async function charge(amount: Money) {
  'use step';
  return amount.cents;
}

export async function fulfil(cents: number) {
  'use workflow';
  return await charge(new Money(cents));
}
`;

const METHODS = `  static [serialize](money: Money) {
    return money.cents;
  }
  static [deserialize](cents: number) {
    return new Money(cents);
  }
`;

/** Instances stand in logs under the class's id. */
export const classRemoved = defineRule({
  name: 'class-removed',
  by: 'compat',
  description: 'A serialized class of the deployed build is gone',
  explanation: {
    mistake:
      'A class with `serialize` and `deserialize` that the deployed manifest lists was renamed, moved, removed, or lost one of the two.',
    why: 'Its instances stand in the logs of runs in flight, under the id of the class. Without the class nothing can make them again, and the runs are parked.',
    allowed:
      'Other members of the class, and other data, as long as `deserialize` reads what `serialize` wrote before.',
    unseen: 'Whether `deserialize` still reads the old data.',
  },
  bad: {
    'deployed/src/orders.ts': money(METHODS),
    'src/orders.ts': money('').replace("import { deserialize, serialize } from 'pawl';\n\n", ''),
  },
  good: {
    'deployed/src/orders.ts': money(METHODS),
    'src/orders.ts': money(`${METHODS}  half() {\n    return new Money(this.cents / 2);\n  }\n`),
  },
});
