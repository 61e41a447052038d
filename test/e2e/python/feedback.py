"""Judges runs, changes the judgements, reads, lists and withdraws them, as an app or a
notebook does with the LangSmith SDK. Prints what the SDK read, and the ids."""

import datetime
import json
import uuid

from langsmith import Client

client = Client(auto_batch_tracing=False)
run = uuid.uuid4()
now = datetime.datetime.now(datetime.timezone.utc)
client.create_run("judged", {"question": "a"}, "chain", id=run, project_name="judged", start_time=now)
client.update_run(run, end_time=now, outputs={"answer": "b"})


def shown(feedback):
    return {
        "id": str(feedback.id), "run": str(feedback.run_id), "key": feedback.key, "score": feedback.score,
        "value": feedback.value, "comment": feedback.comment, "correction": feedback.correction,
        "source": feedback.feedback_source.type, "changed": feedback.modified_at > feedback.created_at,
    }


made = client.create_feedback(run, "user-score", score=1, comment="bom")
read = client.read_feedback(made.id)
client.update_feedback(made.id, score=0, comment="ruim")
client.update_feedback(made.id, score=0, comment="ruim")
changed = client.read_feedback(made.id)
client.update_feedback(made.id, correction={"answer": "c"})
tone = client.create_feedback(run, "tone", score=0.5, value="seco")
gone = client.create_feedback(run, "accuracy", score=1)
client.delete_feedback(gone.id)
listed = list(client.list_feedback(run_ids=[run]))
keyed = list(client.list_feedback(run_ids=[run], feedback_key=["tone"], limit=1))
nobody = list(client.list_feedback(run_ids=[uuid.uuid4()]))
try:
    client.read_feedback(gone.id)
    left = "still there"
except Exception as error:  # the generations have different ones
    left = type(error).__name__

# This one goes with the runs, in the background, where the generation does that.
with_runs = uuid.uuid4()
streaming = Client()
streaming.create_feedback(run, "streamed", score=1, trace_id=run, feedback_id=with_runs)
if hasattr(streaming, "flush"):
    streaming.flush()
else:  # The oldest generation says only of its queue when all of it was sent.
    streaming.tracing_queue.join()
streaming.update_feedback(with_runs, score=0)
streamed = streaming.read_feedback(with_runs)

print(json.dumps({
    "run": str(run), "read": shown(read), "changed": shown(changed), "listed": [shown(f) for f in listed],
    "keyed": [shown(f) for f in keyed], "nobody": len(nobody), "left": left, "streamed": shown(streamed),
    "gone": str(gone.id),
}))
