"""The fault harness: real processes, a stream of uploads, and at random moments faults; then the books are checked.

    python -m tests.chaos --rounds 200 --seed 1 [--jobs 2]      (make chaos ROUNDS=200 SEED=1)

It tests the tree that it lies in: each state folder gets a copy of that tree's code with shorter beats in the template.
So a broken copy is tested by `cp -r` of the tree, a patch, and the same command there with the first tree's Python:
`cd /tmp/broken && /path/to/tree/.venv/bin/python -m tests.chaos --rounds 20`. A plan is a matter of the seed and the
round's number alone; when things happen in it is a matter of the machine.

    plan, files           what is to happen, from the seed: pure
    world, clock, shim    one state folder, its engine, and its jumping clocks
    proxy, answers        the network between boto3 and the engine
    senders               the uploads
    faults, repeats       the faults
    settling, accounts    what must hold afterwards
    rounds, folder        a round; some rounds on one state folder, a process of its own
    __main__              all folders, and the table
"""
