"""What every room uses: messages, results, numbers, random streams, tasks and files.

Nothing here knows an instrument, a site or a statistic.
"""
