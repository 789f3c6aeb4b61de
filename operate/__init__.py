"""Operating a stack on AWS, beside what `sam` does: saying what there is, taking it away, bringing tables back, taking
up what was kept.

    python -m operate deployed STAGE    # `make deploy STAGE=…` ends with it
    python -m operate destroy STAGE     # asks; `make destroy STAGE=…`
    python -m operate restore STAGE [--at TIME]
    python -m operate adopt STAGE FILE
    python -m operate erase STAGE FILE  # asks

`kept` knows what a stack leaves behind, `adopting` how a new stack takes it up. Neither knows anything of stock.
boto3's own settings say which account, region or engine is meant (AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL).
"""
