# Everything in one image, by the same set-up as everywhere:
#   docker build -t codecfake .
#   docker run --rm -v "$PWD/runs:/codecfake/runs" codecfake
FROM python:3.11-bookworm
WORKDIR /codecfake
# what the set-up reads comes first, so that other changes do not repeat it
COPY Makefile ./
COPY envs envs
RUN make packages
COPY . .
RUN make setup
ENV PATH=/codecfake/.venv/bin:$PATH PYTHONPATH=/codecfake
ENTRYPOINT ["snakemake"]
CMD ["--cores", "all", "--directory", "runs/demo", "all"]
