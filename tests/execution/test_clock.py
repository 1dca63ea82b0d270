from gensynth.execution.clock import Clock


def test_time_of_earlier_sessions_counts():
    clock = Clock(limit=100.0, before=90.0)
    assert clock.within(5)
    assert not clock.within(20)
    assert 90 <= clock.used < 95
    assert Clock(limit=None, before=1e9).within(1e9)
    assert Clock(limit=1.0, before=5.0).left == 0.0
