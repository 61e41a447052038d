"""What else of the LangSmith SDK an app may use: runs posted one by one, without
batches, the link of a run, and a run that has not ended yet. Prints the ids and the
link."""

import datetime
import json
import uuid

from langsmith import Client, traceable
from langsmith.run_helpers import get_current_run_tree

client = Client()
linked = []


@traceable(name="linked", client=client)
def link():
    linked.append(get_current_run_tree())


def now():
    return datetime.datetime.now(datetime.timezone.utc)


link()
single = Client(auto_batch_tracing=False)
ended, going = uuid.uuid4(), uuid.uuid4()
single.create_run("ended", {"question": "a"}, "chain", id=ended, project_name="direct", start_time=now())
single.update_run(ended, end_time=now(), outputs={"answer": "b"})
single.create_run("going", {"question": "a"}, "chain", id=going, project_name="direct", start_time=now())
project = client.read_project(project_name="direct")
print(json.dumps({
    "url": linked[0].get_url(), "linked": str(linked[0].id), "ended": str(ended), "going": str(going),
    "project": project.name, "tenant": str(project.tenant_id),
}))
