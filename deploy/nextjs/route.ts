// Where the service asks for a token, the front end's server asks in the panel's place,
// so that no browser holds one. Put it into app/monitoring/[...path]/route.ts, and set
// TREQ_MONITORING_URL and TREQ_API_TOKEN on the front end's server.

declare const process: { env: Record<string, string | undefined> };

/** What the panel asks for; the token would open more. */
const shown = ["stats/summary", "kpis"];

export async function GET(request: Request, { params }: { params: Promise<{ path: string[] }> }): Promise<Response> {
  const path = (await params).path.join("/");
  if (!shown.includes(path)) {
    return new Response(null, { status: 404 });
  }
  const answer = await fetch(`${process.env["TREQ_MONITORING_URL"]}/monitoring/${path}${new URL(request.url).search}`, {
    headers: { Accept: "application/json", Authorization: `Bearer ${process.env["TREQ_API_TOKEN"]}` },
    cache: "no-store",
  });
  return new Response(await answer.text(), {
    status: answer.status,
    headers: { "Content-Type": answer.headers.get("Content-Type") ?? "application/json" },
  });
}
