// The page of the app with next.
export default function Page({ greeting }) {
  return greeting;
}

export function getServerSideProps() {
  return { props: { greeting: 'hello' } };
}
