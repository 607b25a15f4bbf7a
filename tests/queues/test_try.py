from lrtkit.queues import doctor
def test_try(setup, gate):
    with gate.during() as calls:
        print(setup.plan().text())
        print(setup.apply())
        print(setup.apply())
        for role in ("submitter","worker","reader","autoscaler"):
            print(role); print(doctor(setup.env_file(role)))
        print(setup.rotate("worker")); print(setup.retire("worker"))
        print(setup.teardown(setup.queue))
    print(sorted({(c.action) for c in calls if c.key==setup.admin.users._request_signer._credentials.access_key}))
    print([c for c in calls if c.status==403 and c.key==setup.admin.users._request_signer._credentials.access_key])
    assert 0
