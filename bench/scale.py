"""stub"""


def write(found):
    print(found)
