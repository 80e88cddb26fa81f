import { Sideways } from './layout.tsx';

/** A drawing with its title and its description inside, for screen readers too. */
export interface Drawing {
  readonly title: string;
  /** SVG that tuneloom drew: text of data and models is escaped in it. */
  readonly svg: string;
}

export function Plot({ title, svg }: Drawing) {
  return (
    <Sideways label={title} kind="plot-frame">
      <div dangerouslySetInnerHTML={{ __html: svg }} />
    </Sideways>
  );
}
